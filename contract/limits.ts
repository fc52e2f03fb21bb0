/** Bytes of the largest file that a window takes. Here, as the page's code is to be without zod. */
export const LARGEST_FILE = 32 * 2 ** 20
export const tooLarge = (name: string) => `${name} is larger than 32 MB; nothing has changed.`
