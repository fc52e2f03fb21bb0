/** What windows and hosts agree on of files that are handed over. */

/** Bytes of the largest file that a window hands over: two hours of sound in studio quality. */
export const LARGEST_FILE = 8 * 2 ** 30
/** Bytes of the largest text or picture that is opened; of a sound only the end is read. */
export const LARGEST_WHOLE = 32 * 2 ** 20
/** A pack's two files, as they are called. */
export const PACK_FILES = ["pack.json", "weights.safetensors"] as const
/** Bytes of a file in one message. */
export const UPLOAD_PIECE = 4 * 2 ** 20
export const tooLarge = (name: string, most: string) => `${name} is larger than ${most}.`
