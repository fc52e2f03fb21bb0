import { useEffect, useRef } from "react"
import type { Canvas, Sound } from "../../contract/pack.ts"
import { sampleBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"
import { groundOf, paintPixels } from "../lib/pixels.ts"
import { useThemeCount } from "../lib/useTheme.ts"

/** A picture as far as it is there, small. `version` grows with its bytes. */
export function PictureThumb(props: {
  bytes: Uint8Array
  canvas: Canvas
  columns?: boolean | undefined
  version: number
}) {
  const { bytes, canvas, columns, version } = props
  const element = useRef<HTMLCanvasElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the bytes' growth
  useEffect(() => {
    const g = element.current?.getContext("2d")
    if (g) paintPixels(g, bytes, canvas, columns)
  }, [version, canvas, columns, bytes])
  const { width, height } = canvas
  return <canvas className="thumb-picture" ref={element} width={width} height={height} style={groundOf(canvas, 3)} />
}

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

const BARS = 48

/** A sound as a small wave; `share` of the width is there already. */
export function SoundThumb(props: { bytes: Uint8Array; sound: Sound; version: number; share?: number }) {
  const { bytes, sound, share = 1 } = props
  return <WaveThumb peaks={peaksOf(bytes, sound, Math.max(1, Math.round(BARS * Math.min(1, share))))} />
}

export function WaveThumb({ peaks }: { peaks: number[] }) {
  const element = useRef<HTMLCanvasElement>(null)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const el = element.current
    const g = el?.getContext("2d")
    if (!el || !g) return
    const { width, height } = el
    g.clearRect(0, 0, width, height)
    g.fillStyle = getComputedStyle(el).getPropertyValue("--accent")
    const top = Math.max(0.05, ...peaks)
    peaks.forEach((peak, i) => {
      const tall = Math.max(2, (peak / top) * height)
      g.fillRect((i * width) / BARS, (height - tall) / 2, width / BARS - 2, tall)
    })
  }, [peaks, theme])
  return <canvas className="thumb-wave" ref={element} width={BARS * 6} height={64} />
}
