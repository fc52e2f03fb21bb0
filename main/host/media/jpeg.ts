import sharp from "sharp"

/** JPEGs as some cameras write them. */

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
