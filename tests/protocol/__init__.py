"""Tests of `indiflask.protocol`, module by module."""
