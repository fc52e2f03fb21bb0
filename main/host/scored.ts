import { setTimeout } from "node:timers/promises"
import type { Item } from "../../contract/app.ts"
import { documentsOf, type Pack } from "../../contract/pack.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { formOf } from "./exports.ts"
import type { Library } from "./library.ts"
import type { Windows } from "./windows.ts"

/** Milliseconds between two tries of a disk that does not take what was made. */
const RETRY = 250

/** Adds the item of a score: every byte has its bits, from the first one on. */
export function addScore(library: Library, pack: Pack, name: string, bytes: Uint8Array, bits: number[]): Item {
  return library.add(
    {
      title: `Score of ${name}`,
      ...formOf(pack),
      settings: {
        pack: pack.name,
        length: documentsOf(pack).usualLength,
        seed: 0,
        variations: 1,
        sampling: defaultSampling,
        style: 0,
      },
      variation: 0,
      given: 0,
      bytes: bits.length,
      bitsPerByte: bits.reduce((a, b) => a + b, 0) / Math.max(1, bits.length),
      favourite: false,
      status: "done",
      scored: true,
    },
    bytes,
    bits,
  )
}

/** Tries until the disk takes what was made, or a person has had enough of waiting. @throws what `keep` does then */
export async function untilKept(keep: () => Item, windows: Windows, enough: () => boolean): Promise<Item> {
  for (let tries = 0; ; tries++) {
    try {
      const item = keep()
      if (tries) windows.tellSaved()
      return item
    } catch (error) {
      if (enough()) throw error
      if (!tries) windows.tellUnsaved(error)
      await setTimeout(RETRY)
    }
  }
}
