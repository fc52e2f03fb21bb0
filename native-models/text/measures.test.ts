import { describe, expect, it } from "vitest"
import { closing, distinct, firstBytes, returning, sentencesKnown, typographic, withoutTitle } from "./measures.ts"

describe("what the page of the text pack measures", () => {
  it("tells looping from telling", () => {
    expect(distinct(["one two three four five six seven"])).toBe(1)
    expect(distinct(["one two one two one two one two one two"])).toBeLessThan(0.5)
  })
  it("finds names that come back", () => {
    expect(returning(["One day Anna met Bob. Then Anna ran."])).toBe(0.5)
  })
  it("sees quotes that close in whole paragraphs", () => {
    expect(closing(['a\n\n"Yes," he said.\n\n"No, he said.\n\nb'])).toBe(0.5)
  })
  it("knows a sentence that stands in the training data", () => {
    expect(sentencesKnown(['"The cat sat down." The dog ran far away. Cut of'], "x The cat sat down. y")).toBe(0.5)
  })
  it("spells typographically, whole characters, without a title", () => {
    expect(typographic('"Oh--\'tis," she said... ("No!")')).toBe("“Oh—‘tis,” she said… (“No!”)")
    expect(firstBytes("a“b", 2)).toBe("a")
    expect(withoutTitle("The Cat\n\nShe sat.")).toBe("She sat.")
    expect(withoutTitle("She sat.\n\nThen she ran.")).toBe("She sat.\n\nThen she ran.")
  })
})
