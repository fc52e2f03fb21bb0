import { isSound } from "./audio.ts"
import { isPicture } from "./image.ts"
import type { Source } from "./source.ts"

/** What a file is by its name and its first bytes; what is neither picture nor sound is tried as text. */
export function modalityOf(name: string, file: Source): "image" | "audio" | "text" {
  if (isPicture(name, file)) return "image"
  return isSound(file) ? "audio" : "text"
}
