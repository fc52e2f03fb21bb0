import { expect, it } from "vitest"
import { isSilent, type Sound } from "./audio.ts"
import { loopOf } from "./text.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

it("a text that says one thing over and over is known by the length of that, ordinary prose is not one (H23)", () => {
  expect(loopOf(bytes(`It was said ${"so manifest to be ".repeat(20)}`))).toBe(18)
  expect(loopOf(bytes("a".repeat(200)))).toBe(1)
  const prose =
    "She went down to the sea, and the sea went down to the sand, and nobody on the pier had seen either of them " +
    "go. By four o'clock the gulls had the whole of the beach to themselves; by five there was only the wind."
  expect(loopOf(bytes(prose))).toBeUndefined()
  // A refrain at its end does not make a text worthless, and a few words are no loop.
  expect(loopOf(bytes(`${prose}${" la la la".repeat(10)}`))).toBeUndefined()
  expect(loopOf(bytes("no no no no no "))).toBeUndefined()
})

it("a sound is silent by what is heard, in any encoding and around any level", () => {
  const sound = (encoding: Sound["encoding"]): Sound => ({ rate: 8000, encoding, header: 0, styles: [] })
  const wave = (level: number, tall: number) => Uint8Array.from({ length: 16000 }, (_, i) => level + (i % 2) * tall)
  expect(isSilent(wave(128, 1), sound("mu-law"))).toBe(true)
  expect(isSilent(wave(90, 0), sound("linear-8"))).toBe(true)
  expect(isSilent(new Uint8Array(32000), sound("pcm16"))).toBe(true)
  expect(isSilent(wave(128, 90), sound("mu-law"))).toBe(false)
  expect(isSilent(wave(128, 9), sound("linear-8"))).toBe(false)
  // One click is not a sound; a rest is not silence.
  expect(isSilent(wave(128, 0).fill(255, 0, 20), sound("linear-8"))).toBe(true)
  expect(isSilent(wave(128, 0).subarray(0, 8000), sound("linear-8"))).toBe(false)
})
