package com.example;
interface ICalculator { int add(int a, int b); }
