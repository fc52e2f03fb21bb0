import { describe, expect, it } from "vitest"
import { longestOverlap } from "./overlap.ts"

const utf8 = (s: string) => new TextEncoder().encode(s)
const find = (samples: string[], training: string) =>
  new TextDecoder().decode(longestOverlap(samples.map(utf8), utf8(training)))

describe("the longest overlap", () => {
  it("is found wherever it stands, in whichever sample", () => {
    expect(find(["xx a red fox yy", "nothing"], "once a red fox ran")).toBe(" a red fox ")
    expect(find(["the end"], "this is the end")).toBe("the end")
    expect(find(["abc"], "xyz")).toBe("")
  })
  it("agrees with a search by trying all, on random letters", () => {
    let state = 7
    const letter = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return "abc"[state % 3] as string
    }
    const sample = Array.from({ length: 60 }, letter).join("")
    const training = Array.from({ length: 3000 }, letter).join("")
    let longest = 0
    for (let i = 0; i < sample.length; i++)
      for (let j = i + 1; j <= sample.length; j++)
        if (training.includes(sample.slice(i, j))) longest = Math.max(longest, j - i)
    expect(find([sample], training).length).toBe(longest)
  })
})
