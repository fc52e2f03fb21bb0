import { closeSync, fstatSync, openSync, readSync } from "node:fs"

/** Bytes that are read piece by piece, so that a file of hours is never in memory whole. Bytes in memory are one too. */
export type Source = { readonly length: number; subarray(begin: number, end: number): Uint8Array }

/** Bytes that are read at once: headers are looked at a few bytes at a time. */
const WINDOW = 2 ** 14

/** A file on disk as a source, open while `use` runs. */
export async function withFile<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const file = openSync(path, "r")
  try {
    const length = fstatSync(file).size
    const read = (begin: number, count: number) => {
      const piece = new Uint8Array(count)
      return piece.subarray(0, readSync(file, piece, 0, count, begin))
    }
    let [window, windowAt] = [new Uint8Array(), 0]
    return await use({
      length,
      subarray(begin, end) {
        const count = Math.max(0, Math.min(end, length) - begin)
        if (!count) return new Uint8Array()
        if (count > WINDOW / 4) return read(begin, count)
        if (begin < windowAt || begin + count > windowAt + window.length) {
          window = read(begin, Math.min(WINDOW, length - begin))
          windowAt = begin
        }
        return window.slice(begin - windowAt, begin - windowAt + count)
      },
    })
  } finally {
    closeSync(file)
  }
}
