// Placeholder.
export function QualityScreen() {
  return <h1>Quality</h1>;
}
