import { useEffect, useMemo, useRef, useState } from "react"
import { type Sound, sampleBytes, secondBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"
import { surpriseColor } from "../lib/color.ts"
import { Content } from "../lib/content.ts"
import { Player } from "../lib/player.ts"
import { useSize } from "../lib/useSize.ts"

const seconds = (bytes: number, sound: Sound) => `${(bytes / secondBytes(sound)).toFixed(1)} s`

/**
 * A waveform that grows as it is made: the highest and lowest sample of each column of pixels; with `heat` a column is
 * coloured by its bits per byte. A click chooses the time to play from, or to go on from.
 */
function Wave(props: {
  content: Content
  version: number
  sound: Sound
  /** Bytes that were given, or are to be kept: drawn softly, with a mark at their end. */
  given: number
  heat: boolean
  /** Byte that is being heard. */
  heard: number | undefined
  label: string
  onPick: (byte: number) => void
}) {
  const { content, version, sound, given, heat, heard, label, onPick } = props
  const element = useRef<HTMLCanvasElement>(null)
  const size = useSize(element)

  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  useEffect(() => {
    const el = element.current
    const g = el?.getContext("2d")
    const { width, height } = size
    if (!el || !g || !width || !content.length) return
    el.width = width * devicePixelRatio
    el.height = height * devicePixelRatio
    g.scale(devicePixelRatio, devicePixelRatio)
    const style = getComputedStyle(el)
    const [ink, soft, accent] = ["--ink", "--soft", "--accent"].map((name) => style.getPropertyValue(name))
    const step = sampleBytes(sound)
    const total = Math.floor(content.length / step)
    for (let x = 0; x < width; x++) {
      const from = Math.floor((x * total) / width)
      const to = Math.max(from + 1, Math.floor(((x + 1) * total) / width))
      // A column looks at 200 samples at most, evenly spread: enough for the eye, and a long sound stays quick.
      const stride = Math.max(1, Math.floor((to - from) / 200))
      let [low, high] = [1, -1]
      for (let i = from; i < to; i += stride) {
        const y = sampleAt(content.bytes, i, sound)
        low = Math.min(low, y)
        high = Math.max(high, y)
      }
      const bits = heat ? content.meanBits(from * step, to * step) : undefined
      if (bits !== undefined) {
        g.fillStyle = surpriseColor(bits)
        g.fillRect(x, 0, 1, height)
      }
      g.fillStyle = (from * step < given ? soft : ink) ?? ""
      g.fillRect(x, (height * (1 - high)) / 2, 1, Math.max(1, (height * (high - low)) / 2))
    }
    g.fillStyle = accent ?? ""
    if (given > 0 && given < content.length) g.fillRect((width * given) / content.length - 1, 0, 2, height)
    if (heard !== undefined) g.fillRect((width * heard) / content.length, 0, 1.5, height)
  }, [version, size, content, sound, given, heat, heard])

  return (
    <canvas
      className="wave"
      ref={element}
      role="img"
      aria-label={label}
      onClick={(e) => onPick(Math.floor((e.nativeEvent.offsetX / Math.max(1, size.width)) * content.length))}
    />
  )
}

/** A sound with its waveform; it can be heard while it is still being made. */
export function WaveView(props: {
  content: Content
  version: number
  sound: Sound
  given: number
  heat: boolean
  live: boolean
  label: string
}) {
  const { content, sound, live } = props
  const [heard, toggle] = usePlayer(content, sound, live)
  return (
    <div className="sound">
      <Wave {...props} heard={heard} onPick={(byte) => toggle(byte, true)} />
      <div className="actions">
        <button type="button" disabled={!content.length} onClick={() => toggle(0)}>
          {heard === undefined ? "▶ Play" : "■ Stop playing"}
        </button>
        <span className="count">
          {heard === undefined ? "" : `${seconds(heard, sound)} of `}
          {seconds(content.length, sound)}
        </span>
      </div>
    </div>
  )
}

/** A sound to go on from: a click, or the slider, chooses the time from which it is made anew. */
export function SoundPrompt(props: { bytes: Uint8Array; sound: Sound; kept: number; onKept: (bytes: number) => void }) {
  const { bytes, sound, kept, onKept } = props
  const content = useMemo(() => {
    const whole = new Content(false)
    whole.append(bytes, new Float32Array(bytes.length).fill(-1))
    return whole
  }, [bytes])
  const [heard, toggle] = usePlayer(content, sound, false)
  const step = sampleBytes(sound)
  return (
    <div className="sound">
      <Wave
        content={content}
        version={kept}
        sound={sound}
        given={kept}
        heat={false}
        heard={heard}
        label="The sound to go on from"
        onPick={(byte) => onKept(byte - (byte % step))}
      />
      <label className="field keep-rows">
        <span>
          Keep the first{" "}
          <output>
            {seconds(kept, sound)} of {seconds(bytes.length, sound)}
          </output>
        </span>
        <input
          type="range"
          aria-label="Time to keep"
          min={0}
          max={bytes.length}
          step={Math.max(step, Math.floor(sound.rate / 10) * step)}
          value={kept}
          onChange={(e) => onKept(Number(e.target.value))}
        />
      </label>
      <div className="actions">
        <button type="button" onClick={() => toggle(0)}>
          {heard === undefined ? "▶ Play" : "■ Stop playing"}
        </button>
      </div>
    </div>
  )
}

/** The byte being heard, and what plays from a byte, or stops; with `anew` it never stops but jumps. */
function usePlayer(
  content: Content,
  sound: Sound,
  live: boolean,
): [number | undefined, (from: number, anew?: boolean) => void] {
  const [heard, setHeard] = useState<number>()
  const player = useRef<Player>(undefined)
  const isLive = useRef(live)
  isLive.current = live
  // biome-ignore lint/correctness/useExhaustiveDependencies: another content is another sound
  useEffect(() => () => player.current?.stop(), [content])
  const toggle = (from: number, anew = false) => {
    player.current?.stop()
    player.current = undefined
    if (heard !== undefined && !anew) return
    const mine = new Player(content, sound, (byte) => {
      if (player.current === mine || byte === undefined) setHeard(byte)
      if (byte === undefined && player.current === mine) player.current = undefined
    })
    player.current = mine
    mine.play(from, () => isLive.current)
  }
  return [heard, toggle]
}
