// Reads the QR code of another device by the camera, where the browser knows how: `web5ReadCode` resolves to its text, or to
// null once `web5StopReading` was called.
const INTERVAL_MS = 200;
let stopped = null;

globalThis.web5CanReadCodes = "BarcodeDetector" in globalThis && Boolean(navigator.mediaDevices?.getUserMedia);

globalThis.web5StopReading = () => stopped?.abort();

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
