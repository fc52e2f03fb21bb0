import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { notesOf, writeMidi } from "../../../contract/transcription.ts"
import { readSafetensors } from "../../packs/safetensors.ts"

const rate = 8000

describe("notes of a sound", () => {
  it("whose periods repeat are exactly those played", () => {
    // What training's synthesizer played for the fixture: patches of 32 samples after a header of one.
    const file = readSafetensors(join(import.meta.dirname, "../../../test/parity/tunes/expected.safetensors"))
    const bytes = new Float32Array(new Uint8Array(file.get("x")?.data ?? []).buffer).slice(32)
    const notes = notesOf(
      bytes.map((byte) => (byte - 128) / 128),
      rate,
    )
    const played = [
      [0, 70],
      [96, 76],
      [128, 70],
      [256, 76],
      [288, 60],
      [384, 70],
      [480, 66],
    ]
    const long = played.filter(([start]) => start !== 96 && start !== 256) // those of 4 ms are too short to be notes
    expect(notes.map(({ start, pitch }) => [Math.round(start * rate), Math.round(pitch)])).toEqual(
      long.slice(0, notes.length),
    )
    expect(notes.every(({ exact }) => exact)).toBe(true)
  })

  it("that is not clean are estimated, and it is said", () => {
    const hertz = [220, 329.63]
    const samples = Float32Array.from({ length: rate }, (_, i) => {
      const f = hertz[i < rate / 2 ? 0 : 1] as number
      const noise = (((i * 7919) % 1000) / 1000 - 0.5) * 0.05
      return 0.5 * Math.sin((2 * Math.PI * f * i) / rate) + noise
    })
    const notes = notesOf(samples, rate)
    expect(notes.map(({ pitch }) => Math.round(pitch))).toEqual([57, 64])
    expect(notes.every(({ exact, length }) => !exact && length > 0.4)).toBe(true)
  })

  it("are none in silence and in noise", () => {
    expect(notesOf(new Float32Array(rate), rate)).toEqual([])
    let state = 1
    const noise = Float32Array.from({ length: rate }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state / 2 ** 31 - 1
    })
    expect(notesOf(noise, rate)).toEqual([])
  })
})

it("a MIDI file has a header, a tempo and its notes in order", () => {
  const midi = writeMidi([
    { start: 0, length: 0.25, pitch: 60.1, exact: true },
    { start: 0.25, length: 0.5, pitch: 64, exact: true },
  ])
  const text = Buffer.from(midi)
  expect(text.toString("latin1", 0, 4)).toBe("MThd")
  expect(text.toString("latin1", 14, 18)).toBe("MTrk")
  expect(text.readUInt32BE(18)).toBe(text.length - 22)
  const events = [...text.subarray(29)]
  expect(events).toEqual([
    ...[0, 0x90, 60, 84],
    ...[0x81, 0x7a, 0x80, 60, 0], // 250 milliseconds later
    ...[0, 0x90, 64, 84],
    ...[0x83, 0x74, 0x80, 64, 0],
    ...[0, 0xff, 0x2f, 0],
  ])
})
