/** What reading one file may take. */

/** Bytes of memory of the process that reads. */
export const MOST_MEMORY = 2 ** 30
/** Milliseconds of a processor, of all threads together: a busy machine refuses no file that a quiet one reads. */
export const MOST_WORK = 30_000
/** Milliseconds by the clock, for what waits and does not work, such as a disk that is away. */
export const MOST_TIME = 240_000
/** Pixels of the largest picture, and of the largest bitmap, which is read by code of our own. */
export const MOST_PIXELS = 2 ** 27
export const MOST_BITMAP_PIXELS = 2 ** 26
