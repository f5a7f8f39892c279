import { testPartOfSeeds } from '../part-of-seeds.ts';

testPartOfSeeds(1);
