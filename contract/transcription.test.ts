import { describe, expect, it } from "vitest"
import { Listener, notesOf } from "./transcription.ts"

const RATE = 8000
const silence = (seconds: number) => new Float32Array(seconds * RATE)
/** A tone whose periods repeat exactly. */
const played = (period: number, seconds: number) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => 0.5 * Math.sin((2 * Math.PI * (i % period)) / period))
const sung = (hertz: number, seconds: number) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / RATE))
const noise = (seconds: number) =>
  Float32Array.from({ length: seconds * RATE }, (_, i) => (((i * 48271) % 65537) / 65537 - 0.5) * 0.8)
const joined = (...parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]))

describe("notes that are heard while the sound grows", () => {
  it.each([
    ["a tune", joined(played(20, 0.3), silence(0.05), played(16, 0.2), silence(0.01), played(25, 0.015), silence(0.1))],
    ["a hummed tune", joined(sung(221.3, 0.5), sung(333.3, 0.41), silence(0.1), sung(221.3, 0.07))],
    ["noise and silence", joined(noise(0.4), silence(0.2), noise(0.1))],
    ["a tune into noise", joined(played(20, 0.3), noise(0.3), silence(0.3), played(31, 0.02))],
  ])("are those of the whole, however it comes: %s", (_, whole) => {
    for (const piece of [1, 7, 160, 1000]) {
      const listener = new Listener(RATE)
      for (let at = 0; at < whole.length; at += piece) {
        listener.hear(whole.subarray(at, at + piece))
        const there = whole.subarray(0, Math.min(whole.length, at + piece))
        if (at % 1120 < piece) expect(listener.notes).toEqual(notesOf(there, RATE))
      }
      expect(listener.notes).toEqual(notesOf(whole, RATE))
    }
  })
})
