import { useMemo } from "react"
import { sampleBytes } from "../../contract/pack.ts"
import { surpriseColor } from "../lib/color.ts"
import { Extremes } from "./extremes.ts"
import { type Paint, Panel, type Shown } from "./Panel.tsx"

/**
 * A waveform that grows as it is made: the highest and lowest sample of each column of pixels; with `heat` a column is
 * colored by its bits per byte.
 * @param props.given bytes that were given, or are to be kept: drawn softly, with a mark at their end
 * @param props.usual bits per byte that the pack is used to
 */
export function Wave(props: Shown & { given: number; heat: boolean; usual: number }) {
  const { content, version, sound, given, heat, usual } = props
  // biome-ignore lint/correctness/useExhaustiveDependencies: another content is another sound
  const extremes = useMemo(() => new Extremes(sound), [content, sound])
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  const paint = useMemo<Paint>(
    () => (g, width, height) => {
      const style = getComputedStyle(g.canvas)
      const [ink, soft, accent] = ["--ink", "--soft", "--accent"].map((name) => style.getPropertyValue(name))
      const step = sampleBytes(sound)
      const total = Math.floor(content.length / step)
      extremes.grow(content.bytes)
      for (let x = 0; x < width; x++) {
        const from = Math.floor((x * total) / width)
        const to = Math.max(from + 1, Math.floor(((x + 1) * total) / width))
        const [low, high] = extremes.of(content.bytes, from, to)
        const bits = heat ? content.meanBits(from * step, to * step) : undefined
        if (bits !== undefined) {
          g.fillStyle = surpriseColor(bits, usual)
          g.fillRect(x, 0, 1, height)
        }
        g.fillStyle = (from * step < given ? soft : accent) ?? ""
        g.fillRect(x, (height * (1 - high)) / 2, 1, Math.max(1, (height * (high - low)) / 2))
      }
      g.fillStyle = ink ?? ""
      if (given > 0 && given < content.length) g.fillRect((width * given) / content.length - 1, 0, 2, height)
    },
    [content, extremes, version, sound, given, heat, usual],
  )
  return <Panel {...props} paint={paint} />
}
