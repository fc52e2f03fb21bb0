import type { ListedItem, PackSummary } from "../../contract/app.ts"
import type { Content } from "../lib/content.ts"
import { enlargedPng } from "../picture/pixels.ts"

/** Puts an item on the clipboard: a text as text, a picture enlarged. @throws what the browser refuses it with */
export async function copyItem(item: ListedItem, content: Content, pack: PackSummary | undefined): Promise<void> {
  const canvas = item.modality === "image" ? pack?.canvas : undefined
  const what = canvas
    ? new ClipboardItem({ "image/png": enlargedPng(content.bytes, canvas, item.settings.columns) })
    : new ClipboardItem({ "text/plain": new TextDecoder().decode(content.bytes) })
  await navigator.clipboard.write([what])
}
