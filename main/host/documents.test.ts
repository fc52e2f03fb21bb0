import { expect, it } from "vitest"
import { Documents } from "./documents.ts"

it("documents are kept under their names, the oldest as long as there is room", () => {
  const documents = new Documents(10)
  const [first, second] = [documents.keep(new Uint8Array(6)), documents.keep(new Uint8Array(4).fill(2))]
  expect([documents.get(first).length, documents.get(second)[0]]).toEqual([6, 2])
  const third = documents.keep(new Uint8Array(3))
  expect(() => documents.get(first)).toThrow(expect.objectContaining({ code: "gone" }))
  expect([documents.get(second).length, documents.get(third).length]).toEqual([4, 3])
})

it("one that is larger than the room is kept alone", () => {
  const documents = new Documents(10)
  const [small, large] = [documents.keep(new Uint8Array(1)), documents.keep(new Uint8Array(99))]
  expect(documents.get(large).length).toBe(99)
  expect(() => documents.get(small)).toThrow(expect.objectContaining({ code: "gone" }))
})
