import { describe, expect, it } from "vitest"
import type { Sound } from "../../contract/modality/audio.ts"
import { Content } from "../lib/content.ts"
import { type Live, Player, type Speaker } from "./player.ts"

const sound: Sound = { rate: 8000, encoding: "linear-8", header: 0, styles: [] }

/** A speaker with a clock to turn by hand, which notes what was to sound when. */
class FakeSpeaker implements Speaker {
  time = 0
  volume = 1
  slices: { at: number; samples: Float32Array }[] = []
  schedule(samples: Float32Array<ArrayBuffer>, _: number, at: number) {
    this.slices.push({ at, samples })
  }
  hush() {
    this.slices = this.slices.filter(({ at }) => at < this.time)
  }
  close() {}
}

/** Bytes of a ramp, so that each says where it belongs. */
const ramp = (from: number, count: number) => Uint8Array.from({ length: count }, (_, i) => Math.floor((from + i) / 100))

function make(total: number) {
  const content = new Content(false)
  const speaker = new FakeSpeaker()
  let live: Live = { total }
  const player = new Player(content, sound, speaker, () => live)
  const grow = (count: number) => {
    const real = Math.min(count, total - content.length)
    if (real > 0) content.append(ramp(content.length, real), new Float32Array(real))
    if (content.length >= total) live = undefined
  }
  /** Lets `seconds` pass in twentieths, in which bytes are made at `speed` a second, in pieces of 96. */
  let owed = 0
  const pass = (seconds: number, speed: number) => {
    for (let i = 0; i < seconds * 20; i++) {
      speaker.time += 0.05
      owed += speed / 20
      grow(Math.floor(owed / 96) * 96)
      owed %= 96
      player.turn()
    }
  }
  return { content, speaker, player, grow, pass }
}

/** What was heard: all slices, each in its time, without holes between them. */
function joined({ slices }: FakeSpeaker): Float32Array {
  for (const [i, { at, samples }] of slices.entries())
    expect(slices[i + 1]?.at ?? at + samples.length / 8000).toBeCloseTo(at + samples.length / 8000, 6)
  return Float32Array.from(slices.flatMap(({ samples }) => [...samples]))
}

describe("a player", () => {
  it("faster than sound: begins within a second of the first byte and has no gap to the end (B1)", () => {
    const { speaker, player, pass, content } = make(80_000)
    player.play()
    pass(20, 9600)
    expect(speaker.slices[0]?.at).toBeLessThan(1)
    expect(player.gaps).toBe(0)
    expect(player.state.playing).toBe(false)
    expect(joined(speaker)).toHaveLength(content.length)
    expect(speaker.slices.slice(0, -1).every(({ samples }) => samples.length >= 4000)).toBe(true)
  })

  it("slower than sound: waits until the rest will be there in time, and no longer than that takes", () => {
    const { speaker, player, pass, content } = make(80_000)
    player.play()
    pass(30, 6000)
    expect(player.gaps).toBe(0)
    expect(joined(speaker)).toHaveLength(content.length)
    // 13.3 s to make 10 s of sound: 3.3 s late, and the margin.
    expect(speaker.slices[0]?.at).toBeGreaterThan(3.3)
    expect(speaker.slices[0]?.at).toBeLessThan(5.7)
  })

  it("counts a gap where the making stops short, and goes on when it can", () => {
    const { speaker, player, pass, content } = make(80_000)
    player.play()
    pass(3, 9600)
    pass(3, 0)
    expect(player.gaps).toBe(1)
    expect(player.state.waiting).toBe(true)
    pass(25, 9600)
    expect(player.gaps).toBe(1)
    expect(speaker.slices.reduce((sum, { samples }) => sum + samples.length, 0)).toBe(content.length)
  })

  it("pauses, goes on from there, jumps and loops (H24)", () => {
    const { speaker, player, grow, pass } = make(16_000)
    grow(16_000)
    player.play()
    pass(1, 0)
    player.pause()
    const paused = player.byte
    expect(paused).toBeGreaterThan(6000)
    expect(paused).toBeLessThan(8000)
    pass(1, 0)
    expect(player.byte).toBe(paused)
    player.seek(2000)
    player.play()
    pass(0.5, 0)
    expect(player.byte).toBeGreaterThan(2000)
    expect(player.byte).toBeLessThan(6100)
    player.loop = true
    pass(4, 0)
    expect(player.state.playing).toBe(true)
    player.loop = false
    pass(4, 0)
    expect(player.state).toEqual({ byte: 0, playing: false, waiting: false })
    expect(speaker.slices.length).toBeGreaterThan(3)
  })
})
