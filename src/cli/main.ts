#!/usr/bin/env node
import { program } from './program.js';

void program(process).parseAsync();
