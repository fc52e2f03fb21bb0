import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Pack } from "../../contract/pack.ts"
import { documentBounds, readPack, wholeDocument } from "./read.ts"

const root = join(import.meta.dirname, "../..")
const text = readPack(join(root, "native-models/text"))
const picture = readPack(join(root, "test/parity/picture"))
const modern = readPack(join(root, "test/parity/modern"))
const media = { rate: 8000, encoding: "mu-law", header: 8, styles: ["any", "organ"] }
const sound: Pack = { ...modern, modality: "audio", media }
const count = (n: number) => Uint8Array.from({ length: n }, (_, i) => i & 255)

describe("how a document is put to the model", () => {
  it("a text has its opening before it where there is room, and ends at its mark", () => {
    const { context, patch } = text.model
    const opening = [...Buffer.from(" away.\n\n")]
    expect(documentBounds(text, new Uint8Array())).toMatchObject({ header: 8, stopAt: 0 })
    expect([...documentBounds(text, count(3)).prompt]).toEqual([...opening, 0, 1, 2])
    const most = count(context * patch - opening.length)
    expect(documentBounds(text, most).prompt).toHaveLength(context * patch)
    const more = count(context * patch - opening.length + 1)
    expect(documentBounds(text, more)).toMatchObject({ prompt: more, header: 0 })
  })
  it("a text whose pack has no opening begins with nothing where a document begins", () => {
    const plain: Pack = { ...text, media: { encoding: "utf-8", endOfDocument: 0 } }
    expect(documentBounds(plain, new Uint8Array())).toMatchObject({ prompt: Uint8Array.of(0), header: 0, stopAt: 0 })
    expect(documentBounds(plain, count(3)).prompt).toEqual(count(3))
  })
  it("a picture has its style before it, and room for the rest of its canvas", () => {
    const { prompt, header, room, stopAt } = documentBounds(picture, count(18), 1)
    expect([...prompt.subarray(0, header)]).toEqual(new Array(6).fill(1))
    expect(prompt.subarray(header)).toEqual(count(18))
    expect([room, stopAt]).toEqual([180 - 18, undefined])
    expect(documentBounds(picture, count(180)).room).toBe(0)
  })
  it("of a sound longer than the context its end is taken, by whole patches, and its style stays in sight", () => {
    const { patch, context } = sound.model
    const given = count(patch * context + 3)
    const { prompt, header } = documentBounds(sound, given, 1)
    expect(prompt.length).toBeLessThanOrEqual(patch * context)
    expect(prompt.length).toBeGreaterThan(patch * (context - 1))
    // A style counts from silence, so that it is not heard as a sound before the sound.
    expect([...prompt.subarray(0, header)]).toEqual(new Array(8).fill(129))
    const dropped = given.length - (prompt.length - header)
    expect(dropped % patch).toBe(0)
    expect(prompt.subarray(header)).toEqual(given.subarray(dropped))
  })
  it("a sound that the model is to go on from is told to be noisy where the pack was trained so, one to score is not", () => {
    const trained: Pack = { ...sound, media: { ...media, noise: 2 } }
    const { prompt, header } = documentBounds(trained, count(20), 1)
    expect([...prompt.subarray(0, header)]).toEqual([129, 129, 129, 129, 130, 130, 130, 130])
    expect([...wholeDocument(trained, count(20)).bytes.subarray(0, header)]).toEqual(new Array(8).fill(128))
  })
  it("is scored whole, its style left open", () => {
    const { bytes, header } = wholeDocument(sound, count(9000))
    expect(bytes.length).toBe(9008)
    expect([...bytes.subarray(0, header)]).toEqual(new Array(8).fill(128))
  })
})
