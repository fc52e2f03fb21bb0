/** Name of a matrix's form with one scale a channel. */
export const perChannel = (name: string) => `${name}.per_channel`

/** Names of the global cache's inputs of layer i. */
export const cacheNames = (i: number) => ({ k: `k_${i}`, v: `v_${i}` })

/** Name of the output that has all new rows of the cache, keys and then values of each layer: one costs less than many. */
export const NEW_ROWS = "new_rows"

/** Name of the output of what is carried to the next patch beside the cache. */
export const NEXT_CARRIED = "next_carried"
