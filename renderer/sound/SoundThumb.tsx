import { useEffect, useMemo, useRef } from "react"
import { type Sound, sampleBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import { type Drawn, isPlayed, paintRoll, rollOf } from "./roll.ts"

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

/** A sound, small: its notes where they are known, else its wave; `share` of the width is there already. */
export function SoundThumb(props: { bytes: Uint8Array; sound: Sound; version: number; share?: number }) {
  const { bytes, sound, share = 1 } = props
  const element = useRef<HTMLCanvasElement>(null)
  const theme = useThemeCount()
  const steps = Math.floor(bytes.length / (sound.rate * sampleBytes(sound) * GROWS_BY))
  // biome-ignore lint/correctness/useExhaustiveDependencies: steps stands for the bytes' growth
  const roll = useMemo(() => rollOf(bytes, sound), [steps, sound])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    g.clearRect(0, 0, WIDTH, HEIGHT)
    const style = getComputedStyle(g.canvas)
    const [accent, line] = ["--accent", "--line"].map((name) => style.getPropertyValue(name)) as [string, string]
    if (isPlayed(roll)) {
      const view = {
        width: WIDTH,
        height: HEIGHT,
        seconds: roll.seconds / Math.min(1, share),
        line,
        color: () => accent,
      }
      return paintRoll(g, roll.notes, view)
    }
    paintPeaks(g, peaksOf(bytes, sound, Math.max(1, Math.round(BARS * Math.min(1, share)))))
  }, [roll, share, sound, theme])
  return <canvas className="thumb-wave" ref={element} width={WIDTH} height={HEIGHT} />
}

/** Notes of a tune, small. */
export function RollThumb({ seconds, notes }: { seconds: number; notes: readonly Drawn[] }) {
  const element = useRef<HTMLCanvasElement>(null)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (!g) return
    g.clearRect(0, 0, WIDTH, HEIGHT)
    const accent = getComputedStyle(g.canvas).getPropertyValue("--accent")
    paintRoll(g, notes, { width: WIDTH, height: HEIGHT, seconds, line: "transparent", color: () => accent })
  }, [seconds, notes, theme])
  return <canvas className="thumb-wave" ref={element} width={WIDTH} height={HEIGHT} />
}

/** A small wave of `peaks`, up to as many as there are bars. */
export function WaveThumb({ peaks }: { peaks: number[] }) {
  const element = useRef<HTMLCanvasElement>(null)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (g) paintPeaks(g, peaks)
  }, [peaks, theme])
  return <canvas className="thumb-wave" ref={element} width={WIDTH} height={HEIGHT} />
}

function paintPeaks(g: CanvasRenderingContext2D, peaks: number[]): void {
  g.clearRect(0, 0, WIDTH, HEIGHT)
  g.fillStyle = getComputedStyle(g.canvas).getPropertyValue("--accent")
  const top = Math.max(0.05, ...peaks)
  peaks.forEach((peak, i) => {
    const tall = Math.max(6, (peak / top) * HEIGHT)
    g.fillRect((i * WIDTH) / BARS, (HEIGHT - tall) / 2, WIDTH / BARS - 4, tall)
  })
}
