/** What the endpoints of the example do, on the emulator. A handler that returns an Observable of several values streams. */
import { concat, concatMap, defer, delay as pause, from, ignoreElements, map, of } from 'rxjs';

const sentences = (topic) => [
  `Nobody in the harbour could say when it had begun, only that it had to do with ${topic}. `,
  'It was the hour before the light, when the water is the colour of slate and every sound travels twice as far. ',
  'Somewhere a door opened. ',
  'What came out was smaller than anyone had expected, and it carried a lantern that burned without a flame. ',
  '“You are late,” it said, “but the tide has waited.” ',
  'So they went, past the nets and the sleeping gulls, and did not look back. ',
  'By noon the whole town knew. By evening it was a song. ',
  'And if you listen long enough on a still night, you can hear the last verse, which has never been written down.',
];

const hue = (seed, offset) => (seed * 47 + offset) % 360;

/** A landscape as an SVG: enough of a picture to look at. */
function landscape(seed, prompt) {
  const night = prompt.endsWith('at night');
  const light = night ? 22 : prompt.endsWith('at dawn') ? 62 : 74;
  const sky = `hsl(${hue(seed, 210)} 60% ${light}%)`;
  const low = `hsl(${hue(seed, 20)} 75% ${light + 8}%)`;
  const ridge = (base, height, color) => {
    const points = Array.from({ length: 9 }, (_, index) => {
      const y = base - Math.abs(Math.sin(seed * 3.1 + index * 1.7 + base)) * height;
      return `${index * 50},${y.toFixed(0)}`;
    });
    return `<polygon fill="${color}" points="0,300 ${points.join(' ')} 400,300"/>`;
  };
  const shade = (percent) => `hsl(${hue(seed, 250)} 35% ${night ? percent / 2.4 : percent}%)`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"><defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="${sky}"/><stop offset="1" stop-color="${low}"/></linearGradient></defs><rect width="400" height="300" fill="url(#s)"/><circle cx="${80 + ((seed * 53) % 240)}" cy="${night ? 60 : 95}" r="${night ? 20 : 34}" fill="${night ? '#f4f1e0' : '#fff3c4'}" opacity=".9"/>${ridge(210, 70, shade(58))}${ridge(245, 60, shade(42))}${ridge(280, 45, shade(28))}</svg>`;
}

const ENDINGS = ['who cannot sleep', 'at the end of summer', 'and a secret map', 'on a winter night', 'and the sea'];

const words = (text) => text.split(/(?<= )/);

export const endpoints = {
  suggest: {
    workers: { min: 4, max: 4 },
    handler: ({ input }, { delay }) =>
      delay(450).pipe(
        map(() => ({
          suggestions: ENDINGS.filter((end) => !input.prompt.includes(end))
            .slice(0, 3)
            .map((end) => `${input.prompt} ${end}`),
        })),
      ),
  },
  story: {
    stream: true,
    aggregate: true,
    workers: { min: 2, max: 4 },
    handler: ({ input }, { scheduler }) =>
      from(sentences(input.prompt).flatMap(words)).pipe(concatMap((word) => of(word).pipe(pause(70, scheduler)))),
  },
  painter: {
    workers: { min: 5, max: 5 },
    handler: ({ input }, { delay }) =>
      delay(900 + ((input.seed * 131) % 900)).pipe(
        map(() => ({ url: `data:image/svg+xml,${encodeURIComponent(landscape(input.seed + 1, input.prompt))}` })),
      ),
  },
  renderer: {
    workers: { min: 0, max: 1 },
    coldStart: 4_000,
    handler: ({ input }, { delay, progress }) => {
      if (input.kind === 'broken')
        return delay(2_500).pipe(
          map(() => {
            throw new Error('the scene has no camera');
          }),
        );
      const steps = [
        'Loading the scene',
        'Casting shadows',
        'Tracing light',
        'Tracing light',
        'Removing noise',
        'Encoding',
      ];
      const length = input.kind === 'film' ? 3_000 : 1_200;
      return concat(
        from(steps).pipe(
          concatMap((step, index) =>
            defer(() => {
              progress({ percent: Math.round((index / steps.length) * 100), step });
              return delay(length);
            }),
          ),
          ignoreElements(),
        ),
        of({ note: input.kind === 'film' ? 'Forty seconds in 4K are ready.' : 'The poster is ready to print.' }),
      );
    },
  },
};
