import { useMemo } from "react"
import { sampleBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"
import { surpriseColor } from "../lib/color.ts"
import { type Paint, Panel, type Shown } from "./Panel.tsx"

/**
 * A waveform that grows as it is made: the highest and lowest sample of each column of pixels; with `heat` a column is
 * colored by its bits per byte.
 * @param props.given bytes that were given, or are to be kept: drawn softly, with a mark at their end
 * @param props.usual bits per byte that the pack is used to
 */
export function Wave(props: Shown & { given: number; heat: boolean; usual: number }) {
  const { content, version, sound, given, heat, usual } = props
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  const paint = useMemo<Paint>(
    () => (g, width, height) => {
      const style = getComputedStyle(g.canvas)
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
          g.fillStyle = surpriseColor(bits, usual)
          g.fillRect(x, 0, 1, height)
        }
        g.fillStyle = (from * step < given ? soft : accent) ?? ""
        g.fillRect(x, (height * (1 - high)) / 2, 1, Math.max(1, (height * (high - low)) / 2))
      }
      g.fillStyle = ink ?? ""
      if (given > 0 && given < content.length) g.fillRect((width * given) / content.length - 1, 0, 2, height)
    },
    [content, version, sound, given, heat, usual],
  )
  return <Panel {...props} paint={paint} />
}
