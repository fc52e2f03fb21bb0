import { describe, expect, it } from "vitest"
import { NameMatcher, namesBefore } from "./names.ts"

const match = { window: 128, unit: 1 }
const bytesOf = (text: string) => new TextEncoder().encode(text)
function guess(text: string, window = 128) {
  const { byte, length } = new NameMatcher({ window, unit: 1 }, bytesOf(text), text.length).guess()
  return [byte && String.fromCharCode(byte), length]
}

describe("the last name", () => {
  it("is guessed where a word begins, letter by letter, to its end", () => {
    expect(guess("A cat named Mia sat. ")).toEqual(["M", 1])
    expect(guess("A cat named Mia sat. Mi")).toEqual(["a", 3])
    expect(guess("A cat named Mia sat. Mia")).toEqual([" ", 4])
  })
  it("is the last one that began like the word", () => {
    expect(guess("Then Mia saw Max and Tom. M")).toEqual(["a", 2])
    expect(guess("so Mia saw Max and Tom. Mi")).toEqual(["a", 3])
    expect(guess("so Mia saw Max and Tom. ")).toEqual(["T", 1])
  })
  it("is no word that begins a sentence, and nothing beyond the window", () => {
    expect(guess("Then she ran. T")).toEqual([0, 0])
    expect(guess("a dog, Max, who liked to run very far. ", 20)).toEqual([0, 0])
  })
  it("followed byte by byte comes to the same as looked for anew", () => {
    const bytes = bytesOf(
      "There was a girl, Mia, with a dog named Max. Max saw Mia; Ma I Al. So Maximilian and Mum saw Max",
    )
    const follower = new NameMatcher(match, bytes, 0)
    for (let t = 0; t < bytes.length; t++) {
      expect(follower.guess()).toEqual(new NameMatcher(match, bytes, t).guess())
      follower.advance()
    }
  })
  it("tells a graph where names began and whether the next capital begins one", () => {
    const [runs, names] = [new Float32Array(12), new Float32Array(12)]
    expect(namesBefore(match, bytesOf("saw Mo, "), runs, names)).toEqual({ letters: 0, goesOn: 0, opens: 1 })
    expect([...names].indexOf(1)).toBe(3)
    expect([...runs].indexOf(1)).toBe(3)
  })
})
