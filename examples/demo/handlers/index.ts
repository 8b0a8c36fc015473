export { accountant } from './accountant.js';
export { librarian } from './librarian.js';
export { painter, type Tile, type TileInput } from './painter.js';
export { renderer, type Piece, type PieceInput } from './renderer.js';
export { searcher, type Search } from './searcher.js';
export { writer } from './writer.js';
