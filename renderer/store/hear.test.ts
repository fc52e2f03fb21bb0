import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { isBrowsers } from "./hear.ts"

const head = (name: string) => readFileSync(join(import.meta.dirname, "../../test/sounds", name)).subarray(0, 12)

it("leaves to the browser what the app has no decoder for, and nothing else", () => {
  expect(["film.mp4", "tone.m4a"].map((name) => isBrowsers(head(name)))).toEqual([true, true])
  expect(["tone.mp3", "tone.ogg", "tone.opus"].map((name) => isBrowsers(head(name)))).toEqual([false, false, false])
  expect(isBrowsers(Uint8Array.of(0xff, 0xf1, 0x50, 0x80))).toBe(true) // AAC as a stream
  const picture = Buffer.from("\0\0\0\x1cftypavif\0\0\0\0", "latin1")
  expect([picture, Buffer.from("Once upon a time"), new Uint8Array()].map(isBrowsers)).toEqual([false, false, false])
})
