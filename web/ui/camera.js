// Reads QR codes where the browser knows how: `web5ReadCode` by the camera, which resolves to a code's text, or to null once
// `web5StopCamera` was called; `web5CodeIn` in a picture, which resolves to null if there is none.
const INTERVAL_MS = 200;
let stopped = null;

globalThis.web5CanReadPictures = "BarcodeDetector" in globalThis;
globalThis.web5CanReadCodes = web5CanReadPictures && Boolean(navigator.mediaDevices?.getUserMedia);

globalThis.web5StopCamera = () => stopped?.abort();

globalThis.web5CodeIn = async (blob) => {
  try {
    const [found] = await new BarcodeDetector({ formats: ["qr_code"] }).detect(await createImageBitmap(blob));
    return found?.rawValue ?? null;
  } catch {
    return null; // it is no picture
  }
};

globalThis.web5ReadCode = async (video) => {
  stopped?.abort();
  const { signal } = (stopped = new AbortController());
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    video.srcObject = stream;
    await video.play();
    while (!signal.aborted) {
      const [found] = await detector.detect(video);
      if (found) return found.rawValue;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
};
