import { attentionWindow, headWidth, type ModelConfig } from "../../../contract/pack.ts"
import { toHalf } from "../float16.ts"
import { deviceNames, nextName } from "../graph/decode-gpu.ts"
import { cacheNames } from "../graph/names.ts"
import { Tensor } from "../onnxruntime.ts"
import type { KvCache } from "./kv-cache.ts"

/** What lives in a GPU's memory from patch to patch, keys, values and the bytes before: uploaded once, then handed on. */
export class DeviceKvCache {
  private tensors: Record<string, Tensor>
  private readonly maskValues: Float32Array
  private readonly maskTensor: Tensor

  /** Takes the rows of `cache`, in the layout of `unrolledGraph`: the newest row last. `past`: the bytes before; `half`: in fp16. */
  constructor(
    private readonly config: ModelConfig,
    cache: KvCache,
    batch: number,
    past: Record<string, Tensor>,
    half: boolean,
  ) {
    this.tensors = { ...past }
    const { global: g } = config
    const [places, d, heads] = [attentionWindow(config), headWidth(g), batch * g.kv_heads]
    this.maskValues = new Float32Array(places).fill(-1e9)
    this.maskValues.fill(0, places - cache.past)
    this.maskTensor = new Tensor("float32", this.maskValues, [1, 1, places])
    for (let layer = 0; layer < g.layers; layer++) {
      const [keys, values] = [cache.view(2 * layer), cache.view(2 * layer + 1)]
      const k = new Float32Array(heads * d * places)
      const v = new Float32Array(heads * places * d)
      for (let row = 0; row < cache.past; row++) {
        const place = places - cache.past + row
        for (let h = 0; h < heads; h++)
          for (let i = 0; i < d; i++) {
            k[(h * d + i) * places + place] = keys[(row * heads + h) * d + i] as number
            v[(h * places + place) * d + i] = values[(row * heads + h) * d + i] as number
          }
      }
      const names = cacheNames(layer)
      const tensor = (values: Float32Array, dims: number[]) =>
        half ? new Tensor("float16", toHalf(values), dims) : new Tensor("float32", values, dims)
      this.tensors[names.k] = tensor(k, [heads, d, places])
      this.tensors[names.v] = tensor(v, [heads, places, d])
    }
  }

  /** Inputs of the next patch; its own row will be seen too. */
  feeds(): Record<string, Tensor> {
    this.maskValues.copyWithin(0, 1)
    this.maskValues[this.maskValues.length - 1] = 0
    return { ...this.tensors, mask: this.maskTensor }
  }

  /** Takes over what a patch left on the device and frees what it began with. */
  take(out: Readonly<Record<string, unknown>>): void {
    const before = this.tensors
    this.tensors = {}
    for (const name of deviceNames(this.config)) this.tensors[name] = out[nextName(name)] as Tensor
    disposeOnDevice(before)
  }

  dispose(): void {
    disposeOnDevice(this.tensors)
    this.tensors = {}
  }
}

/** Frees what lies on the device; what the first patch was given belongs to the decoder. */
export function disposeOnDevice(tensors: Record<string, Tensor>): void {
  for (const tensor of Object.values(tensors)) if (tensor.location === "gpu-buffer") tensor.dispose()
}
