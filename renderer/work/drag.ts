import type { ListedItem, PackSummary } from "../../contract/app.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { writeWav } from "../../contract/wav.ts"
import { fileName, toBase64 } from "../lib/bytes.ts"
import type { Content } from "../lib/content.ts"
import { ITEM_TYPE } from "../lib/drag.ts"

/**
 * Lets an item be dragged: inside the window by its id, onto the desktop as a file (Chromium writes what DownloadURL
 * names when the drag ends there).
 * @param image a picture as a data: address, where it is known
 */
export function dragOut(
  data: DataTransfer,
  item: ListedItem,
  content: Content | undefined,
  pack: PackSummary | undefined,
  image?: string,
): void {
  data.setData(ITEM_TYPE, item.id)
  const inside = (mime: string, bytes: Uint8Array) => `data:${mime};base64,${toBase64(bytes)}`
  const file = (mime: string, extension: string, url: string | undefined) =>
    url && data.setData("DownloadURL", `${mime}:${fileName(item.title, extension)}:${url}`)
  if (item.modality === "image") file("image/png", ".png", image)
  else if (!content) return
  else if (item.modality === "audio" && pack?.sound) {
    const settings = item.scored ? undefined : item.settings
    const wav = writeWav(decodeSamples(content.bytes, pack.sound), pack.sound.rate, settings)
    file("audio/wav", ".wav", inside("audio/wav", wav))
  } else if (item.modality === "text") file("text/plain", ".txt", inside("text/plain", content.bytes))
}
