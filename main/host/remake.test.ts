import { join } from "node:path"
import { expect, it } from "vitest"
import { readPack } from "../packs/read.ts"
import { remade } from "./remake.ts"

const pack = readPack(join(import.meta.dirname, "../../test/parity/story"))
const loop = Buffer.from("round and ".repeat(40))
const tale = Buffer.from(Array.from({ length: 400 }, (_, i) => 40 + ((i * i) % 83)))

/** What comes of a text that goes in a loop, where the tries that follow give these. */
async function after(...tries: (Buffer | undefined)[]) {
  const [seeds, said]: [number[], string[]] = [[], []]
  const again = async (seed: number) => {
    seeds.push(seed)
    return tries.shift()
  }
  const output = await remade(pack, 0, { bytes: loop, seed: 7 }, again, (line) => said.push(line))
  return { ...output, seeds, said }
}

it("a worthless output is made again with the next seeds until one is worth something", async () => {
  expect(await after(loop, tale)).toEqual({
    bytes: tale,
    seed: 9,
    seeds: [8, 9],
    said: [8, 9].map((seed) => `One came out repeating itself; it is made again with seed ${seed}.`),
  })
})

it("it is not tried for ever, and not after one that was stopped", async () => {
  expect(await after(loop, loop, loop, tale)).toMatchObject({ bytes: loop, seed: 10, seeds: [8, 9, 10] })
  expect(await after(undefined, tale)).toMatchObject({ bytes: loop, seeds: [8] })
})
