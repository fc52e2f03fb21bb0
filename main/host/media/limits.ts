/** What reading one file may take. */

/** Bytes of memory of the process that reads. */
export const MOST_MEMORY = 2 ** 30
/** Milliseconds. */
export const MOST_TIME = 30_000
