import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Pack } from "../../contract/pack.ts"
import { documentBounds, readPack, wholeDocument } from "./read.ts"

const root = join(import.meta.dirname, "../..")
const picture = readPack(join(root, "test/parity/picture"))
const modern = readPack(join(root, "test/parity/modern"))
const styles = ["any", "tale"]
const text: Pack = { ...modern, modality: "text", media: { encoding: "utf-8", endOfDocument: 0, header: 8, styles } }
const media = { rate: 8000, encoding: "mu-law", header: 8, styles: ["any", "organ"] }
const sound: Pack = { ...modern, modality: "audio", media }
const count = (n: number) => Uint8Array.from({ length: n }, (_, i) => i & 255)

describe("how a document is put to the model", () => {
  it("a text has its style before it and whether its beginning is there, and its marks are never drawn", () => {
    const { prompt, header, cutHeader, barred, isText } = documentBounds(text, count(3), { style: 1 })
    expect([...prompt]).toEqual([2, 2, 2, 2, 1, 1, 1, 1, 0, 1, 2])
    expect([...cutHeader]).toEqual([2, 2, 2, 2, 2, 2, 2, 2])
    expect([header, barred, isText]).toEqual([8, [0, 1, 2], true])
    expect([...wholeDocument(text, count(2)).bytes]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 1])
  })
  it("what guidance leads away from is the same header with its style open, and nothing where it is open", () => {
    const { open } = documentBounds(text, count(3), { style: 1 })
    expect([...(open?.header ?? [])]).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
    expect([...(open?.cutHeader ?? [])]).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
    expect(documentBounds(text, count(3))).not.toHaveProperty("open")
  })
  it("a text ends at its mark where that is asked for, and else does not end", () => {
    expect(documentBounds(text, count(3))).not.toHaveProperty("stopAt")
    expect(documentBounds(text, count(3), { untilEnd: true })).toMatchObject({ stopAt: 0, barred: [1, 2] })
  })
  it("a text whose pack has no header begins with nothing where a document begins", () => {
    const plain: Pack = { ...text, media: { encoding: "utf-8", endOfDocument: 0 } }
    expect(documentBounds(plain, new Uint8Array())).toMatchObject({ prompt: Uint8Array.of(0), header: 0, barred: [0] })
    expect(documentBounds(plain, count(3)).prompt).toEqual(count(3))
  })
  it("a picture has its style before it, and room for the rest of its canvas", () => {
    const { prompt, header, room, stopAt } = documentBounds(picture, count(18), { style: 1 })
    expect([...prompt.subarray(0, header)]).toEqual(new Array(6).fill(1))
    expect(prompt.subarray(header)).toEqual(count(18))
    expect([room, stopAt]).toEqual([180 - 18, undefined])
    expect(documentBounds(picture, count(180)).room).toBe(0)
  })
  it("a picture's header tells by its second half whether it is read by columns, where the pack knows both ways", () => {
    const both: Pack = { ...picture, media: { ...picture.media, columns: true } }
    const headerFor = (columns: boolean) => [...documentBounds(both, new Uint8Array(), { style: 2, columns }).prompt]
    expect(headerFor(true)).toEqual([2, 2, 2, 1, 1, 1])
    expect(headerFor(false)).toEqual([2, 2, 2, 0, 0, 0])
  })
  it("a sound's style counts from silence, so that it is not heard", () => {
    const { prompt, header } = documentBounds(sound, count(20), { style: 1 })
    expect([...prompt.subarray(0, header)]).toEqual(new Array(8).fill(129))
    expect(prompt.subarray(header)).toEqual(count(20))
  })
  it("a sound that the model is to go on from is told to be noisy where the pack was trained so, one to score is not", () => {
    const trained: Pack = { ...sound, media: { ...media, noise: 2 } }
    const { prompt, header } = documentBounds(trained, count(20), { style: 1 })
    expect([...prompt.subarray(0, header)]).toEqual([129, 129, 129, 129, 130, 130, 130, 130])
    expect([...wholeDocument(trained, count(20)).bytes.subarray(0, header)]).toEqual(new Array(8).fill(128))
  })
  it("is scored whole, its style left open", () => {
    const { bytes, header } = wholeDocument(sound, count(9000))
    expect(bytes.length).toBe(9008)
    expect([...bytes.subarray(0, header)]).toEqual(new Array(8).fill(128))
  })
})
