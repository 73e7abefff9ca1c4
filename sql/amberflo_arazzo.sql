\echo Use "CREATE EXTENSION amberflo_arazzo" to load this file. \quit
