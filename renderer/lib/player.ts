import { type Sound, secondBytes } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import type { Content } from "./content.ts"

/** Seconds of sound handed to the sound card ahead of what is heard. */
const AHEAD = 0.4

/** Plays an item's sound from any time, also while it is still being made: at its end it waits for more. */
export class Player {
  private readonly context = new AudioContext()
  private timer: ReturnType<typeof setInterval> | undefined
  /** Next byte to schedule, and the context's time at which it will sound. */
  private next = 0
  private at = 0

  constructor(
    private readonly content: Content,
    private readonly sound: Sound,
    private readonly onTime: (byte: number | undefined) => void,
  ) {}

  /** @param live asked at the end whether more is to come */
  play(from: number, live: () => boolean): void {
    const second = secondBytes(this.sound)
    this.next = from - (from % 2)
    this.at = this.context.currentTime + 0.05
    void this.context.resume()
    const turn = () => {
      const until = this.context.currentTime + AHEAD
      while (this.at < until && this.next < this.content.length) {
        const end = Math.min(this.content.length, this.next + Math.ceil(second / 10))
        const samples = decodeSamples(this.content.bytes.slice(this.next, end), this.sound)
        const buffer = this.context.createBuffer(1, Math.max(1, samples.length), this.sound.rate)
        buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0)
        const source = this.context.createBufferSource()
        source.buffer = buffer
        source.connect(this.context.destination)
        this.at = Math.max(this.at, this.context.currentTime)
        source.start(this.at)
        this.at += buffer.duration
        this.next = end
      }
      const heard = this.next - (this.at - this.context.currentTime) * second
      this.onTime(Math.max(0, heard))
      if (this.next >= this.content.length && this.context.currentTime >= this.at && !live()) this.stop()
    }
    turn()
    this.timer = setInterval(turn, 50)
  }

  stop(): void {
    clearInterval(this.timer)
    void this.context.close()
    this.onTime(undefined)
  }
}
