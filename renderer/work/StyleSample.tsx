import { useMemo } from "react"
import type { PackSummary } from "../../contract/app.ts"
import samples from "../home/samples.json" with { type: "json" }
import { fromBase64 } from "../lib/bytes.ts"
import { PictureThumb } from "../ui/Thumb.tsx"

/** Pictures of each style by the packs that ship, by pack and style, the first that came (bench/tools/beginnings.ts). */
const known: Record<string, Record<string, string>> = samples

/** A picture that was made in a style, small; nothing where none is known. */
export function StyleSample({ pack: { name, canvas, shipped }, style }: { pack: PackSummary; style: string }) {
  const sample = shipped ? known[name]?.[style] : undefined
  const bytes = useMemo(() => sample && fromBase64(sample), [sample])
  if (!canvas || !bytes) return null
  return (
    <span className="style-sample" aria-hidden="true">
      <PictureThumb bytes={bytes} canvas={canvas} version={bytes.length} />
    </span>
  )
}
