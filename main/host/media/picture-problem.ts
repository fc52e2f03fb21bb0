import sharp from "sharp"
import { MOST_PIXELS } from "./limits.ts"

/** Why a picture cannot be read, as a clause for a person. */
export class PictureProblem extends Error {
  override name = "PictureProblem"
}

export const DAMAGED = "it is damaged, or of a kind that cannot be read"

/** Why `file` could not be read: what our own readers say of it, else what can be found out, as libvips has no codes. */
export async function pictureProblem(error: unknown, file: Uint8Array): Promise<string> {
  if (error instanceof PictureProblem) return error.message
  if (lacksItsEnd(file)) return "it is cut off"
  const lenient = { animated: false, failOn: "none" } as const
  try {
    const { width, height } = await sharp(file, { ...lenient, limitInputPixels: false }).metadata()
    if (width * height > MOST_PIXELS) return "it has too many pixels"
    // What only a lenient decoder reads to the end lacks its end.
    await sharp(file, { ...lenient, limitInputPixels: MOST_PIXELS }).stats()
    return "it is cut off"
  } catch {
    return DAMAGED
  }
}

/** Whether the mark is missing with which every file of its format ends. */
function lacksItsEnd(file: Uint8Array): boolean {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length)
  const begins = (mark: string) => bytes.toString("latin1", 0, mark.length) === mark
  if (begins("\xff\xd8")) return !bytes.includes("\xff\xd9", 0, "latin1")
  if (begins("\x89PNG")) return !bytes.includes("IEND", 0, "latin1")
  if (begins("GIF8")) return !bytes.includes(";", -1, "latin1")
  return begins("RIFF") && bytes.length >= 8 && bytes.readUInt32LE(4) + 8 > bytes.length
}
