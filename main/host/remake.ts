import { documentsOf, type Pack } from "../../contract/pack.ts"
import { MOST_AGAIN, nextSeed, type Sampling } from "../../contract/sampling.ts"

/** What was made after `given` bytes, and the seed that it was made with. */
export type Output<B extends Uint8Array = Uint8Array> = { bytes: B; seed: number }

/** Whether what was made may be made again: greedy, another seed makes the same, and what was stopped or ended stays. */
export const mayBeRemade = (reason: string, { temperature }: Sampling) => reason === "length" && temperature > 0

/**
 * Makes a worthless output again, each time with the next seed, until it is worth something or has had its chances.
 * @param again makes it with another seed; undefined where that did not come to its end
 * @param say tells a person of each time, in a line
 */
export async function remade<B extends Uint8Array>(
  pack: Pack,
  given: number,
  first: Output<B>,
  again: (seed: number) => Promise<B | undefined>,
  say: (line: string) => void,
): Promise<Output<B>> {
  const { flaw } = documentsOf(pack)
  let { bytes, seed } = first
  for (let chances = MOST_AGAIN; chances > 0; chances--) {
    const found = flaw?.(bytes, given)
    if (!found) break
    seed = nextSeed(seed)
    say(`One came out ${found}; it is made again with seed ${seed}.`)
    const next = await again(seed)
    if (!next) break
    bytes = next
  }
  return { bytes, seed }
}
