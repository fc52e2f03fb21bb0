import { useCallback, useEffect, useMemo, useRef } from "react"
import { type Sound, sampleBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"
import type { Content } from "../lib/content.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import { type Drawn, isPlayed, paintRoll, useRoll } from "./roll.ts"

/** Seconds of new sound after which its notes are heard anew: one that grows stays quick. */
const GROWS_BY = 1 / 8
const [WIDTH, HEIGHT] = [576, 192]
const BARS = 48

/** The loudest sample of each of `count` stretches. */
function peaksOf(bytes: Uint8Array, sound: Sound, count: number): number[] {
  const total = Math.floor(bytes.length / sampleBytes(sound))
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [Math.floor((i * total) / count), Math.floor(((i + 1) * total) / count)]
    const stride = Math.max(1, Math.floor((to - from) / 50))
    let peak = 0
    for (let s = from; s < to; s += stride) peak = Math.max(peak, Math.abs(sampleAt(bytes, s, sound)))
    return peak
  })
}

/** A small canvas, painted anew with another `paint` and in another theme. */
function Thumb({ paint }: { paint: (g: CanvasRenderingContext2D, colorOf: (name: string) => string) => void }) {
  const element = useRef<HTMLCanvasElement>(null)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    const style = getComputedStyle(g.canvas)
    g.clearRect(0, 0, WIDTH, HEIGHT)
    paint(g, (name) => style.getPropertyValue(name))
  }, [paint, theme])
  return <canvas className="thumb-wave" ref={element} width={WIDTH} height={HEIGHT} />
}

/** A sound, small: its notes where they are known, else its wave; `share` of the width is there already. */
export function SoundThumb(props: { content: Content; sound: Sound; version: number; share?: number }) {
  const { content, sound } = props
  const { bytes } = content
  const share = Math.min(1, props.share ?? 1)
  const steps = Math.floor(bytes.length / (sound.rate * sampleBytes(sound) * GROWS_BY))
  const roll = useRoll(content, steps, sound)
  // biome-ignore lint/correctness/useExhaustiveDependencies: roll stands for the bytes' growth
  const peaks = useMemo(
    () => (isPlayed(roll) ? undefined : peaksOf(bytes, sound, Math.max(1, Math.round(BARS * share)))),
    [roll, sound, share],
  )
  return peaks ? <WaveThumb peaks={peaks} /> : <RollThumb seconds={roll.seconds / share} notes={roll.notes} octaves />
}

/** Notes of a tune, small; `octaves`: with a line at each. */
export function RollThumb(props: { seconds: number; notes: readonly Drawn[]; octaves?: boolean }) {
  const { seconds, notes, octaves = false } = props
  const paint = useCallback(
    (g: CanvasRenderingContext2D, colorOf: (name: string) => string) => {
      const [accent, line] = [colorOf("--accent"), octaves ? colorOf("--line") : "transparent"]
      paintRoll(g, notes, { width: WIDTH, height: HEIGHT, seconds, line, color: () => accent })
    },
    [seconds, notes, octaves],
  )
  return <Thumb paint={paint} />
}

/** A small wave of `peaks`, up to as many as there are bars. */
export function WaveThumb({ peaks }: { peaks: number[] }) {
  const paint = useCallback(
    (g: CanvasRenderingContext2D, colorOf: (name: string) => string) => {
      g.fillStyle = colorOf("--accent")
      const top = Math.max(0.05, ...peaks)
      peaks.forEach((peak, i) => {
        const tall = Math.max(6, (peak / top) * HEIGHT)
        g.fillRect((i * WIDTH) / BARS, (HEIGHT - tall) / 2, WIDTH / BARS - 4, tall)
      })
    },
    [peaks],
  )
  return <Thumb paint={paint} />
}
