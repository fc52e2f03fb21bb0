/**
 * The context of a canvas to draw on in CSS pixels at the screen's own sharpness, cleared; undefined before it is laid out.
 */
export function sharpContext(
  canvas: HTMLCanvasElement | null,
  width: number,
  height: number,
): CanvasRenderingContext2D | undefined {
  const g = canvas?.getContext("2d")
  if (!canvas || !g || !width) return undefined
  canvas.width = width * devicePixelRatio
  canvas.height = height * devicePixelRatio
  g.scale(devicePixelRatio, devicePixelRatio)
  return g
}
