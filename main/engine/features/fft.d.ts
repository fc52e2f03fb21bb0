declare module "fft.js" {
  /** Fourier transforms of one size, a power of two; complex numbers lie as real and imaginary part in turn. */
  export default class FFT {
    constructor(size: number)
    /** Fills the first half of `out`, 0 to size / 2, which is all that a real input needs. */
    realTransform(out: ArrayLike<number>, input: ArrayLike<number>): void
  }
}
