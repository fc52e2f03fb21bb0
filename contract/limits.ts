/** Bounds that more than one process, or code and window, must agree on. */

/** The largest seed. */
export const MAX_SEED = 2 ** 32 - 1
/** The longest generation, in bytes or characters. */
export const MAX_LENGTH = 2 ** 31 - 1
/** Variations that a window makes at once, and that the engine does. */
export const MAX_FUTURES = 8
export const MAX_VARIATIONS = 64
/** Threads of the engine; 0: as many as are fastest. */
export const MAX_THREADS = 256
/** Characters of a pack's name, a title, a file's name. */
export const MAX_PACK_NAME = 64
export const MAX_TITLE = 200
/** Characters of a draft that is kept. */
export const MAX_DRAFT = 2 ** 24
export const MAX_FILE_NAME = 500
