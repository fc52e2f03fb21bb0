/** What reading one file may take. */

/** Bytes of memory of the process that reads. */
export const MOST_MEMORY = 2 ** 30
/** Milliseconds. */
export const MOST_TIME = 30_000
/** Pixels of the largest picture, and of the largest bitmap, which is read by code of our own. */
export const MOST_PIXELS = 2 ** 27
export const MOST_BITMAP_PIXELS = 2 ** 26
