import { useEffect, useMemo, useRef } from "react"
import type { Sound } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import type { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import { loudness } from "./spectrum.ts"

export type Shown = {
  content: Content
  version: number
  sound: Sound
  /** Byte that is being heard. */
  heard: number | undefined
  label: string
  onPick: (byte: number) => void
}

/** Fills a canvas of so many CSS pixels. */
export type Paint = (g: CanvasRenderingContext2D, width: number, height: number) => void

/** A canvas under a mark of what is heard; a click chooses a time. */
export function Panel(props: Shown & { name: string; paint: Paint }) {
  const { content, heard, label, name, onPick, paint } = props
  const element = useRef<HTMLCanvasElement>(null)
  const { width, height } = useSize(element)
  const theme = useThemeCount()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colors are drawn
  useEffect(() => {
    const el = element.current
    const g = el?.getContext("2d")
    if (!el || !g || !width) return
    el.width = width * devicePixelRatio
    el.height = height * devicePixelRatio
    g.scale(devicePixelRatio, devicePixelRatio)
    if (content.length) paint(g, width, height)
  }, [width, height, content, paint, theme])
  const share = heard === undefined || !content.length ? undefined : heard / content.length
  return (
    <div className="panel">
      <canvas
        className="wave"
        ref={element}
        role="img"
        aria-label={`${name} of ${label}`}
        onClick={(e) => onPick(Math.floor((e.nativeEvent.offsetX / Math.max(1, width)) * content.length))}
      />
      {share !== undefined && <div className="playhead" style={{ left: `${100 * share}%` }} />}
    </div>
  )
}

/** Loudness of all frequencies over time, low ones at the bottom. */
export function SpectrumView(props: Shown) {
  const { content, version, sound } = props
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  const paint = useMemo(
    () => (g: CanvasRenderingContext2D) => {
      const el = g.canvas
      const samples = decodeSamples(content.bytes, sound)
      const image = g.createImageData(el.width, el.height)
      for (let x = 0; x < el.width; x++) {
        const levels = loudness(samples, Math.floor((x / el.width) * samples.length))
        for (let y = 0; y < el.height; y++) {
          const level = levels[Math.floor(((el.height - 1 - y) / el.height) * levels.length)] as number
          const color = [255 * Math.min(1, 1.6 * level), 255 * level ** 1.5, 255 * (0.15 + level * (1 - level)), 255]
          image.data.set(color, 4 * (y * el.width + x))
        }
      }
      g.putImageData(image, 0, 0)
    },
    [content, version, sound],
  )
  return <Panel {...props} name="Spectrum" paint={paint} />
}
