import { expect, it } from "vitest"
import { excerptOf } from "./excerpt.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

it("begins with the text where that is short, else with a whole word before what was made", () => {
  expect(excerptOf(utf8("Once upon a time"), 4)).toBe("Once upon a time")
  const text = `${"sunlight ".repeat(40)}and then`
  for (const given of [200, 201, 205]) expect(excerptOf(utf8(text), given)).toMatch(/^sunlight sunlight/)
})

it("cuts a text without spaces anywhere, but not within a character", () => {
  expect(excerptOf(utf8("é".repeat(400)), 301)).toMatch(/^é{160}$/)
})
