import { isSound } from "./audio.ts"
import { isPicture } from "./image.ts"

/** What a file is by its name and its first bytes; what is neither picture nor sound is tried as text. */
export function modalityOf(name: string, bytes: Uint8Array): "image" | "audio" | "text" {
  if (isPicture(name, bytes)) return "image"
  return isSound(bytes) ? "audio" : "text"
}
