import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Sound } from "../../../contract/pack.ts"
import { decodeSamples, encodeSamples } from "../../../contract/samples.ts"
import { writeWav } from "../../../contract/wav.ts"
import { readSound, writeFlac } from "./audio.ts"
import { withFile } from "./source.ts"

const sound: Sound = { rate: 8000, encoding: "mu-law", header: 32, styles: ["any"] }
const settings = {
  pack: "audio",
  length: 8000,
  seed: 7,
  variations: 1,
  sampling: { temperature: 0.9, topP: 1, topK: 0, minP: 0 },
  style: 2,
}
const file = (name: string) => readFileSync(join(import.meta.dirname, "../../../test/sounds", name))
const sine = (hertz: number, rate: number, seconds: number, peak = 0.5) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => peak * Math.sin((2 * Math.PI * hertz * i) / rate))

/** Strength of one frequency in samples (Goertzel): the amplitude of that sine. */
function strength(samples: Float32Array, rate: number, hertz: number): number {
  let [re, im] = [0, 0]
  samples.forEach((x, i) => {
    const angle = (2 * Math.PI * hertz * i) / rate
    re += x * Math.cos(angle)
    im += x * Math.sin(angle)
  })
  return (2 * Math.hypot(re, im)) / samples.length
}

/** A WAV of any depth, as other programs write it. */
function wav(channels: Float32Array[], rate: number, bits: 8 | 16 | 24 | 32, float = false): Buffer {
  const [first = new Float32Array()] = channels
  const width = bits / 8
  const data = Buffer.alloc(first.length * channels.length * width)
  first.forEach((_, i) => {
    channels.forEach((channel, c) => {
      const at = (i * channels.length + c) * width
      const x = channel[i] as number
      if (float) data.writeFloatLE(x, at)
      else if (bits === 8) data.writeUInt8(Math.round(x * 127) + 128, at)
      else data.writeIntLE(Math.round(x * (2 ** (bits - 1) - 1)), at, width)
    })
  })
  const head = Buffer.alloc(44)
  head.write("RIFF")
  head.writeUInt32LE(36 + data.length, 4)
  head.write("WAVEfmt ", 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(float ? 3 : 1, 20)
  head.writeUInt16LE(channels.length, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * channels.length * width, 28)
  head.writeUInt16LE(channels.length * width, 32)
  head.writeUInt16LE(bits, 34)
  head.write("data", 36)
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

describe("a sound as samples", () => {
  it.each([
    [8, false],
    [16, false],
    [24, false],
    [32, false],
    [32, true],
  ] as const)("reads WAV of %i bits (float: %s), any rate, and says what it did", async (bits, float) => {
    const { samples, note } = await readSound(
      "a.wav",
      wav([sine(440, 44100, 1), sine(440, 44100, 1)], 44100, bits, float),
      sound,
      60,
    )
    expect(note).toBe("WAV, 44.1 kHz stereo → 8 kHz mono")
    expect(samples.length).toBe(8000)
    expect(strength(samples, 8000, 440)).toBeCloseTo(0.5, 1)
  })
  it.each([
    ["tone.mp3", /^MP3, 44.1 kHz/],
    ["tone.ogg", /^Ogg Vorbis, 44.1 kHz stereo/],
    ["tone.opus", /^Opus, 48 kHz stereo/],
  ])("reads %s", async (name, said) => {
    const { samples, note } = await readSound(name, file(name), sound, 60)
    expect(note).toMatch(said)
    // ffmpeg's sine of an eighth, panned to two channels.
    expect(strength(samples.subarray(1000, 7000), 8000, 440)).toBeGreaterThan(0.08)
    expect(strength(samples.subarray(1000, 7000), 8000, 700)).toBeLessThan(0.01)
  })
  it("filters away what the pack's rate cannot hold, instead of folding it down", async () => {
    const high = sine(5000, 48000, 1) // would fold down to 3000
    const { samples } = await readSound("a.wav", wav([high], 48000, 16), sound, 60)
    expect(strength(samples, 8000, 3000)).toBeLessThan(0.002)
  })
  it("mixes channels to mono", async () => {
    const left = sine(440, 8000, 1)
    const { samples } = await readSound(
      "a.wav",
      wav([left, left.map((x) => -x), sine(600, 8000, 1), sine(600, 8000, 1)], 8000, 16),
      sound,
      60,
    )
    expect(strength(samples, 8000, 440)).toBeLessThan(0.001)
    expect(strength(samples, 8000, 600)).toBeCloseTo(0.25, 2)
  })
  it("a file on disk is read piece by piece: two hours are never in memory", async () => {
    const path = join(tmpdir(), `megabyte-two-hours-${process.pid}.wav`)
    // Silence is a hole in the file; what is heard lies at its end.
    const end = wav([Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i / 5) / 2)], 8000, 16)
    const header = Buffer.from(end.subarray(0, 44))
    const bytes = 2 * 3600 * 8000 * 2
    header.writeUInt32LE(36 + bytes, 4)
    header.writeUInt32LE(bytes, 40)
    const file = openSync(path, "w")
    writeSync(file, header)
    writeSync(file, end.subarray(44), 0, 16000, 44 + bytes - 16000)
    closeSync(file)
    try {
      let largest = 0
      const { samples, note } = await withFile(path, (source) => {
        const watched = {
          length: source.length,
          subarray(from: number, to: number) {
            largest = Math.max(largest, to - from)
            return source.subarray(from, to)
          },
        }
        return readSound("long.wav", watched, sound, 2)
      })
      expect(samples.length).toBe(16000)
      expect(Math.max(...samples)).toBeGreaterThan(0.45)
      expect(note).toBe("WAV, the last 2 of 7200 seconds")
      expect(largest).toBeLessThanOrEqual(2 ** 18)
    } finally {
      rmSync(path, { force: true })
    }
  })

  it("of a long MP3 the end alone is read, and what was passed over is said", async () => {
    const long = Buffer.concat(Array.from({ length: 200 }, () => file("tone.mp3")))
    let read = 0
    const watched = {
      length: long.length,
      subarray(from: number, to: number) {
        read += to - from
        return long.subarray(from, to)
      },
    }
    const { samples, note } = await readSound("long.mp3", watched, sound, 3)
    expect(samples.length).toBe(3 * 8000)
    // Within one of them: where two meet the phase breaks.
    expect(strength(samples.subarray(-4000), 8000, 440)).toBeGreaterThan(0.08)
    expect(note).toMatch(/^MP3, 44.1 kHz.*, the last 3 of about \d{3} seconds$/)
    expect(read).toBeLessThan(long.length / 2)
  })
  it("of an MP3 whose end takes far more bytes than its beginning no less is read", async () => {
    // A second at 32 kbit/s, then half a second at 320.
    const [quiet, loud] = [file("quiet.mp3"), file("loud.mp3")]
    const repeat = (part: Buffer, times: number) => Array.from({ length: times }, () => part)
    const long = Buffer.concat([...repeat(quiet, 75), ...repeat(loud, 60)])
    const { samples } = await readSound("long.mp3", long, sound, 20)
    expect(samples.length).toBe(20 * 8000)
    expect(strength(samples.subarray(-3000), 8000, 440)).toBeGreaterThan(0.08)
  })
  it("keeps the end of a long sound alone", async () => {
    const long = new Float32Array(8000 * 30)
    long.set(sine(440, 8000, 1), long.length - 8000)
    const { samples, note } = await readSound("a.wav", wav([long], 8000, 16), sound, 2)
    expect(samples.length).toBe(16000)
    expect(strength(samples.subarray(8000), 8000, 440)).toBeCloseTo(0.5, 2)
    expect(note).toContain("the last 2 of 30 seconds")
  })
  it.each([
    ["a video", () => file("film.mp4"), /^x is a video; save its sound alone as WAV or MP3\.$/],
    [
      "a truncated MP3",
      () => file("tone.mp3").subarray(0, 40),
      /^x (cannot be read as sound: |is neither text nor a picture nor a sound).*\.$/,
    ],
    [
      "a WAV without samples",
      () => wav([new Float32Array()], 8000, 16),
      /^x cannot be read as sound: it holds no sound\.$/,
    ],
    [
      "AAC, for which there is no decoder",
      () => file("tone.m4a"),
      /^x is AAC sound, for which this app has no decoder; convert it to WAV, FLAC, MP3 or Ogg[^\n]*\.$/,
    ],
    [
      "MIDI, which holds notes",
      () => Buffer.from("MThd\0\0\0\x06\0\x01\0\x01\0\x60MTrk\0\0\0\0", "latin1"),
      /^x is MIDI, which is notes and no sound/,
    ],
  ])("refuses %s in one line", async (_, bytes, said) => {
    const error = await readSound("x", bytes(), sound, 60).then(
      () => undefined,
      (e: Error) => e,
    )
    expect(error?.message).toMatch(said)
    expect(error?.message).not.toContain("\n")
  })
})

describe("a long FLAC", async () => {
  // Noise of a seed, louder and louder: every sample tells where it is.
  let state = 1
  const noise = Float32Array.from({ length: 8000 * 120 }, (_, i) => {
    state = (state * 48271) % 2147483647
    return Math.round((state / 2147483647 - 0.5) * (i / 960_000) * 32768) / 32768
  })
  const flac = await writeFlac(noise, 8000)
  /** Places where samples differ, the first of them. */
  const differences = (a: Float32Array, b: Float32Array) =>
    Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i)
      .filter((i) => a[i] !== b[i])
      .slice(0, 5)
  it("comes back to the last sample", async () => {
    expect(differences((await readSound("a", flac, sound, 600)).samples, noise)).toEqual([])
  })
  it("is read from its end alone, exactly", async () => {
    let read = 0
    const watched = {
      length: flac.length,
      subarray(from: number, to: number) {
        read += Math.min(to, flac.length) - from
        return flac.subarray(from, to)
      },
    }
    const { samples, note } = await readSound("a", watched, sound, 2)
    expect(differences(samples, noise.subarray(-16_000))).toEqual([])
    expect(note).toBe("FLAC, the last 2 of 120 seconds")
    expect(read).toBeLessThan(flac.length)
  })
})

describe("canonical bytes", () => {
  it("mu-law: every byte comes back as itself, silence is 128, amounts are in order", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const samples = decodeSamples(bytes, sound)
    expect(encodeSamples(samples, sound)).toEqual(bytes)
    expect(samples[128]).toBe(0)
    expect([...samples]).toEqual([...samples].sort((a, b) => a - b))
    expect([samples[0], samples[255]]).toEqual([-1, 1])
  })
  it("16 bits: every amount comes back as itself", () => {
    const pcm = { ...sound, encoding: "pcm16" as const }
    const bytes = new Uint8Array(Int16Array.of(-32768, -1, 0, 1, 32767).buffer)
    expect(encodeSamples(decodeSamples(bytes, pcm), pcm)).toEqual(bytes)
  })
})

describe("an export", () => {
  const tone = sine(440, 8000, 1)
  it("as WAV comes back sample for sample, with its settings", async () => {
    const file = writeWav(tone, 8000, settings)
    const read = await readSound("a", file, sound, 60)
    expect(writeWav(read.samples, 8000, settings)).toEqual(file)
    expect(read.settings).toEqual(settings)
    expect(read.note).toBe("WAV")
    expect(Math.max(...read.samples.map((x, i) => Math.abs(x - (tone[i] as number))))).toBeLessThan(1 / 32000)
  })
  it("as FLAC comes back sample for sample, with its settings, and is smaller", async () => {
    const flac = await writeFlac(tone, 8000, settings)
    expect(flac.length).toBeLessThan(writeWav(tone, 8000).length)
    const read = await readSound("a", flac, sound, 60)
    expect(writeWav(read.samples, 8000)).toEqual(writeWav(tone, 8000))
    expect(read.settings).toEqual(settings)
    expect(read.samples.length).toBe(8000)
    expect(Math.max(...read.samples.map((x, i) => Math.abs(x - (tone[i] as number))))).toBeLessThan(1 / 32000)
  })
})
