import sharp from "sharp"

/** What goes wrong in pictures that people have. */

/** The marker that ends a JPEG. */
const END = Buffer.from([0xff, 0xd9])

/**
 * A JPEG that lacks nothing but its last marker, as some cameras write it, with that marker; every other file as it is.
 * Whether all of its picture is there the decoder says: with the marker in place it warns of what is missing before it.
 */
export async function wholeJpeg(file: Uint8Array): Promise<Uint8Array> {
  if (file[0] !== 0xff || file[1] !== 0xd8) return file
  let end = file.length
  while (end > 2 && file[end - 1] === 0) end-- // padding of a card
  if (file[end - 2] === 0xff && file[end - 1] === 0xd9) return file
  const whole = Buffer.concat([file.subarray(0, end), END])
  try {
    await sharp(whole, { failOn: "warning" }).stats()
    return whole
  } catch {
    return file
  }
}

/** Why a picture could not be read, as a clause for a person; libvips speaks to programmers. */
export function pictureProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (/exceeds pixel limit|too many pixels|dimensions exceed|too large/i.test(message)) return "it has too many pixels"
  if (/premature end|truncated|cut off|end of (file|stream|image)|not enough data/i.test(message))
    return "it is cut off"
  // The clauses of our own bitmap reader begin so.
  if (/^(it|its) [^\n]*$/.test(message)) return message
  return "it is damaged, or of a kind that cannot be read"
}
