import type { ListedItem, PackSummary } from "../../contract/app.ts"
import type { Canvas } from "../../contract/pack.ts"
import type { Content } from "../lib/content.ts"

/** Pixels of the clipboard's picture for each of the picture's own. */
const SCALE = 16

/** Puts an item on the clipboard: a text as text, a picture enlarged. @throws what the browser refuses it with */
export async function copyItem(item: ListedItem, content: Content, pack: PackSummary | undefined): Promise<void> {
  const canvas = item.modality === "image" ? pack?.canvas : undefined
  const what = canvas
    ? new ClipboardItem({ "image/png": enlargedPng(content.bytes, canvas) })
    : new ClipboardItem({ "text/plain": new TextDecoder().decode(content.bytes) })
  await navigator.clipboard.write([what])
}

async function enlargedPng(bytes: Uint8Array, { width, height }: Canvas): Promise<Blob> {
  const large = new OffscreenCanvas(width * SCALE, height * SCALE)
  const g = large.getContext("2d")
  for (let i = 0; g && 3 * i + 2 < bytes.length; i++) {
    g.fillStyle = `rgb(${bytes[3 * i]} ${bytes[3 * i + 1]} ${bytes[3 * i + 2]})`
    g.fillRect((i % width) * SCALE, Math.floor(i / width) * SCALE, SCALE, SCALE)
  }
  return large.convertToBlob({ type: "image/png" })
}
