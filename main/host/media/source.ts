import { closeSync, fstatSync, openSync, readSync } from "node:fs"

/** Bytes that are read piece by piece, so that a file of hours is never in memory whole. Bytes in memory are one too. */
export type Source = { readonly length: number; subarray(begin: number, end: number): Uint8Array }

/** A file on disk as a source, open while `use` runs. */
export async function withFile<T>(path: string, use: (source: Source) => Promise<T>): Promise<T> {
  const file = openSync(path, "r")
  try {
    const length = fstatSync(file).size
    return await use({
      length,
      subarray(begin, end) {
        const piece = new Uint8Array(Math.max(0, Math.min(end, length) - begin))
        return piece.subarray(0, readSync(file, piece, 0, piece.length, begin))
      },
    })
  } finally {
    closeSync(file)
  }
}
