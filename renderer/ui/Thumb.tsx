import { useEffect, useRef } from "react"
import type { Canvas } from "../../contract/pack.ts"
import { groundOf, paintPixels } from "../lib/pixels.ts"

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
