import { describe, expect, it } from "vitest"
import { packetsOf } from "./matroska.ts"

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")
const head = hex("1a45dfa3 87 4282 84 7765626d") // the document is webm
/** A cluster of a block of track 1 that holds one byte; a length of all ones is unknown. */
const cluster = (byte: number, isKnown: boolean) => {
  const inside = Buffer.concat([hex("e7 81 00 a3 85 81 0000 80"), Buffer.of(byte)])
  return Buffer.concat([hex("1f43b675"), isKnown ? Buffer.of(0x80 | inside.length) : hex("01ffffffffffffff"), inside])
}

describe("packets of a recording", () => {
  it.each([
    ["whose clusters say how long they are", () => true],
    ["whose clusters end with the next, as browsers record", () => false],
    ["of both", (i: number) => i % 3 > 0],
  ])("come all, however long it is: %s", (_, isKnown) => {
    const all = Array.from({ length: 200 }, (_, i) => i)
    const file = Buffer.concat([head, hex("18538067 01ffffffffffffff"), ...all.map((i) => cluster(i, isKnown(i)))])
    expect([...packetsOf(file, 1)].map(([byte]) => byte)).toEqual(all)
  })
})
