import { useMemo } from "react"
import { sampleBytes } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { Panel, type Shown } from "./Panel.tsx"
import { LOOKED, loudness } from "./spectrum.ts"

/** Loudness of all frequencies over time, low ones at the bottom. */
export function SpectrumView(props: Shown) {
  const { content, version, sound, label } = props
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  const paint = useMemo(
    () => (g: CanvasRenderingContext2D) => {
      const el = g.canvas
      const step = sampleBytes(sound)
      const total = Math.floor(content.length / step)
      const image = g.createImageData(el.width, el.height)
      for (let x = 0; x < el.width; x++) {
        const at = Math.floor((x / el.width) * total)
        const from = Math.max(0, at - LOOKED)
        const samples = decodeSamples(content.bytes.subarray(from * step, (at + LOOKED) * step), sound)
        const levels = loudness(samples, at - from)
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
  return <Panel {...props} label={`Spectrum of ${label}`} paint={paint} />
}
